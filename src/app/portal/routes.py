"""The portal as one router: every page behind the same guard, every failure as a page."""

from collections.abc import Sequence
from typing import Any

from litestar import HttpMethod, Request, Response, Router, get, route
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import ControllerRouterHandler, Guard

from app.errors import AppError
from app.portal.card_page import CARD_PAGES
from app.portal.cards import CARD_LIST
from app.portal.dashboard import show_dashboard
from app.portal.failures import show_failure
from app.portal.funding import FUNDING_PAGES
from app.portal.guard import LARGEST_BODY, StrictHeaders, only_offline, refuse_foreign
from app.portal.landing import LANDING
from app.portal.linking import LINKING_PAGES
from app.portal.live_pages import LIVE_PAGES
from app.portal.mailbox import mailbox
from app.portal.onboarding import ONBOARDING_PAGES
from app.portal.passwords import PASSWORDS
from app.portal.paying import PAYING_PAGES
from app.portal.purchases import PURCHASES
from app.portal.reveal import send_reveal
from app.portal.second_step import SECOND_STEPS
from app.portal.settings import SETTINGS_PAGES
from app.portal.signing_in import SIGNING_IN
from app.portal.signing_up import SIGNING_UP
from app.portal.statements import show_statement
from app.portal.static_files import static_file
from app.portal.test_purchase import TEST_PURCHASE_PATH, send_test_purchase
from app.portal.visits import (
    provide_customer_id,
    provide_form,
    provide_person,
    provide_visit,
)

EVERYTHING = (HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE)


FORMS_OF = {
    "/onboarding": ("/onboarding/identity", "/onboarding/terms"),
    "/settings": (
        *("/settings/password", "/settings/email", "/settings/sessions/others/end"),
        *("/settings/sessions/{session_id:uuid}/end", "/settings/letters"),
        *("/settings/second-step/begin", "/settings/second-step/confirm"),
        *("/settings/second-step/off", "/settings/second-step/recovery-codes"),
    ),
    "/purchases": ("/purchases/{purchase_id:uuid}/allow-once",),
    "/cards": tuple(
        f"/cards/{{card_id:uuid}}/{form}" for form in ("freeze", "unfreeze", "rename", "reveal")
    ),
    "/funding": (
        *("/funding/{source_id:uuid}/order", "/funding/link/{linking_id:uuid}/finish"),
        *("/funding/payments/{payment_id:uuid}/finish", "/funding/payments/{payment_id:uuid}/stop"),
    ),
    "/sign-in": ("/sign-in/demo",),
    "/": ("/sign-out",),
}


def _page_of(
    page: str, forms: Sequence[str], guards: Sequence[Guard] = ()
) -> ControllerRouterHandler:
    """Lead who opens a form's own address, as a reload may, to the page that has the form."""

    @get(list(forms), guards=guards, include_in_schema=False)
    async def back_to_the_page() -> Response[str]:
        return Response("", status_code=303, headers={"Location": page})

    return back_to_the_page


@route("/{rest:path}", http_method=EVERYTHING, include_in_schema=False)
async def nothing_here(request: Request[Any, Any, Any]) -> Response[str]:  # noqa: ARG001
    """Answer for every address that is nobody else's."""
    raise NotFoundException


PAGES: tuple[ControllerRouterHandler, ...] = (
    *LANDING,
    *SIGNING_UP,
    *SIGNING_IN,
    *PASSWORDS,
    *ONBOARDING_PAGES,
    *CARD_LIST,
    *CARD_PAGES,
    send_reveal,
    send_test_purchase,
    *LINKING_PAGES,
    *FUNDING_PAGES,
    *PAYING_PAGES,
    show_dashboard,
    *PURCHASES,
    show_statement,
    *LIVE_PAGES,
    *SETTINGS_PAGES,
    *SECOND_STEPS,
    mailbox,
    static_file,
    *(_page_of(page, forms) for page, forms in FORMS_OF.items()),
    _page_of("/cards", (TEST_PURCHASE_PATH,), [only_offline]),
    nothing_here,
)

PORTAL = Router(
    "/",
    route_handlers=PAGES,
    dependencies={
        "visit": Provide(provide_visit),
        "person": Provide(provide_person),
        "customer_id": Provide(provide_customer_id),
        "form": Provide(provide_form),
    },
    middleware=[StrictHeaders()],
    before_request=refuse_foreign,
    exception_handlers={
        AppError: show_failure,
        HTTPException: show_failure,
        Exception: show_failure,
    },
    request_max_body_size=LARGEST_BODY,
)
