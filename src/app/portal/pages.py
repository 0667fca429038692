"""The customer's front page."""

from litestar import MediaType, get

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Proxycard</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:36rem;
margin:12vh auto;padding:0 1.5rem}h1{font-size:1.4rem}a{color:inherit}</style>
<h1>Proxycard</h1>
<p>Customers will link a real card and open virtual cards here. This part is not built yet:
signing up, linking a card and seeing a card's number come with the customer portal.</p>
<p>What works today: purchases are funded and answered, and staff see them in the
<a href="/admin/">back office</a>.</p>
</html>
"""


@get("/", media_type=MediaType.HTML, include_in_schema=False)
async def front_page() -> str:
    return PAGE
