"""The page around the app: its icon, its theme before anything is drawn, and its shape."""

from layouts.skeleton import SKELETON

#: Where the settings are put into the page.
SETTINGS = "{%settings%}"

#: Where the path is put before the addresses of the page.
BASE_PATH = "{%base_path%}"

#: Dash's template of the page; the other marks in ``{%...%}`` are Dash's own.
INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="{%base_path%}/assets/favicon.svg">
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
""".replace("{%skeleton%}", SKELETON)
