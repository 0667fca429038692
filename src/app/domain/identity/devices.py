"""Browsers in words: what somebody recognises as theirs in a list or a letter.

Only our own words come out: what a browser says of itself is anybody's text.
"""

_BROWSERS = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome")),
    *(("CriOS", "Chrome"), ("FxiOS", "Firefox"), ("Safari", "Safari"), ("curl", "curl")),
)
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)


def device_in_words(user_agent: str) -> str:
    """Write `Mozilla/5.0 (X11; Linux …) … Chrome/148 Safari/537` as “Chrome on Linux”."""
    browser = next((word for mark, word in _BROWSERS if mark in user_agent), "a browser")
    system = next((word for mark, word in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser
