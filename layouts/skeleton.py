"""The shape of the page until it is there: plain HTML and styles, which need no script."""


def _bone(width: int, className: str = "") -> str:
    """A quiet bar of ``width`` letters; its height is that of the text around it."""
    return f'<span class="bone {className}" style="width: {width}ch">&nbsp;</span>'


def _card(figure: int, *below: str) -> str:
    return (
        f'<div class="panel metric">{_bone(12)}'
        f'<span class="figure" data-length="short">{_bone(figure)}</span>'
        f'<div class="metric-below">{"".join(below)}</div></div>'
    )


def _words(width: int) -> str:
    return f'<span class="metric-words">{_bone(width)}</span>'


def _button(className: str = "") -> str:
    return f'<span class="btn btn-sm bone {className}">&nbsp;</span>'


_SIDEBAR = (
    '<div class="sidebar"><div class="brand">Virtual Balance<span class="paper">PAPER</span></div>'
    f'<div class="sidebar-balance"><div class="metric-label">{_bone(18)}</div>'
    f'<div class="figure" data-length="short">{_bone(9)}</div>{_bone(14, "bone-figures")}'
    '<div class="spark"></div></div>'
    f'<div class="pill">{_bone(9)}</div>{_button("bone-menu")}'
    f'<div class="sidebar-actions">{_button() * 2}{_button("bone-wide")}</div></div>'
)
_CARDS = (
    _card(9, _button(), _button()),
    _card(5, _words(14), _words(13)),
    _card(9, _words(13)),
    _card(9, _words(16)),
)

#: What stands in the page until Dash has put the real one there, in the same places.
SKELETON = (
    '<div class="skeleton"><p class="visually-hidden" role="status">Loading</p>'
    f'<div class="shell" aria-hidden="true">{_SIDEBAR}<div class="main">'
    f'<div class="ticker">{_bone(18) * 3}</div>'
    f'<div class="tab-row">{_bone(10, "nav-link") * 4}</div>'
    f'<div class="tab-body"><div class="summary-row">{"".join(_CARDS)}</div></div>'
    "</div></div></div>"
)
