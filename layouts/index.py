"""The page around the app: its icon, and the theme before anything is drawn."""

#: Dash's template of the page; the marks in ``{%...%}`` are Dash's own.
INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
        <script>
            (() => {
                const system = window.matchMedia("(prefers-color-scheme: dark)");
                const show = () => {
                    document.documentElement.dataset.bsTheme =
                        localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");
                };
                system.addEventListener("change", show);
                show();
            })();
        </script>
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>
"""
