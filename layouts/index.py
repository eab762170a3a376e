"""The page around the app: its icon, its theme before anything is drawn, and its shape."""

from html import escape

from layouts.bundle import WORKER, Modules
from layouts.skeleton import SKELETON

#: Where the settings are put into the page.
SETTINGS = "{%settings%}"

#: Where the path is put before the addresses of the page.
BASE_PATH = "{%base_path%}"

# The icon of a page, which puts in what stands in braces and the colours of its theme.
_ICON = """<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" data-link="{link}">
<style>
text { font: 700 40px var(--font); text-anchor: middle; fill: var(--ink) }
path:not(.{tone}) { display: none }
[data-link="offline"] :is(text, path), [data-link="fault"] :is(text, path) { fill: var(--muted) }
</style>
<rect width="64" height="64" rx="12" fill="var(--surface)"/>
<text x="32" y="34" textLength="{width}" lengthAdjust="spacingAndGlyphs">{text}</text>
<path class="gain" d="M12 60 32 42 52 60" fill="var(--balance)"/>
<path class="loss" d="M12 42 32 60 52 42" fill="var(--loss)"/>
<path class="flat" d="M12 48v6h40v-6" fill="var(--muted)"/>
</svg>"""

# Dash's template of the page; the other marks in ``{%...%}`` are Dash's own.
_INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="{%base_path%}/assets/favicon.svg"
              data-drawing="{%icon%}">
        <script type="application/json" id="settings-now">{%settings%}</script>
        <script>
            (() => {
                const system = window.matchMedia("(prefers-color-scheme: dark)");
                let chosen = "system";
                const show = (theme) => {
                    chosen = theme;
                    document.documentElement.dataset.bsTheme =
                        theme !== "system" ? theme : system.matches ? "dark" : "light";
                };
                system.addEventListener("change", () => show(chosen));
                show(JSON.parse(document.getElementById("settings-now").textContent).theme);
                window.balanceTheme = { show };
            })();
        </script>
        {%css%}
        {%modules%}
    </head>
    <body>
        {%app_entry%}
        {%skeleton%}
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>
""".replace("{%skeleton%}", SKELETON).replace("{%icon%}", escape(_ICON))

# Said in the place of the page where its scripts did not come.
_MISSING = "The page did not come whole from the server. Reload it."


def index(folder: str, modules: Modules) -> str:
    """The template of a page whose ``modules`` below ``folder`` come at once, rather than each when
    another one imports it; those that its tabs need later follow when it has nothing else to do,
    so that they are there also where the server is gone by then."""
    first = modules.imported()
    links = [f'<link rel="modulepreload" href="{folder}/{path}">' for path in first]
    others = sorted(modules.texts.keys() - {*first, WORKER})
    links += [f'<link rel="prefetch" href="{folder}/{path}">' for path in others]
    return _INDEX.replace("{%modules%}", "\n        ".join(links))


def renderer(address: str) -> str:
    """The script that has Dash draw the page, once the module at ``address`` is there."""
    return f"""
        import("{address}").then(
            () => new DashRenderer(),
            () => {{
                const place = document.querySelector(".skeleton > p");
                place.textContent = "{_MISSING}";
                place.className = "skeleton-fault";
            }},
        );
    """
