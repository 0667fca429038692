"""The strip on top of a home: what does not answer, asked for again while the page is open."""

from typing import Any

from starlette.requests import Request

from app.admin.pages.demo_past import demo_past
from app.admin.troubles import WORDS
from app.watch import Watch


def standing_of(request: Request) -> dict[str, Any]:
    """Give what the strip's template needs."""
    watch: Watch = request.state.watch
    settings = watch.parts.settings
    return {
        "troubles": watch.troubles(),
        "pulse": watch.pulse,
        "words_for": WORDS,
        "past": demo_past(settings.data_dir) if settings.simulated else None,
    }
