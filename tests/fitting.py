"""What does not fit on the screen, found by the boxes of what is there."""

from __future__ import annotations

from typing import Final

from dash.testing.browser import Browser

_MISFITS: Final = """
    const [width] = arguments;
    const found = new Set();
    const say = (what, element, more = "") => found.add(
        `${what}: ${element.tagName}#${element.id}.${element.className} ` +
        `"${(element.innerText ?? element.value ?? "").trim().slice(0, 40)}" ${more}`);
    const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const parents = (e) => {
        const all = [];
        for (let at = e.parentElement; at; at = at.parentElement) all.push(at);
        return all;
    };
    const flows = (e) => getComputedStyle(e).overflowX;
    const dialog = [...document.querySelectorAll("dialog[open], .modal.show")].at(-1);
    const within = dialog ?? document.body;

    // what can be scrolled to within its own box may be wider than that; the page may not
    const page = document.documentElement.scrollWidth;
    if (page > width) found.add(`the page is ${page} px wide`);
    if (dialog) {
        const box = (dialog.querySelector(".modal-content") ?? dialog).getBoundingClientRect();
        if (box.left < 0 || box.right > width) say("dialog wider than the screen", dialog);
        const body = dialog.querySelector(".sheet-body, .modal-body");
        if (body && body.scrollWidth > body.clientWidth) say("scrolls sideways", body);
    }

    // figures: whole, within whatever box they stand in
    const FIGURE = /^[+\\-\\u2212\\u2013]?\\$?\\d[\\d,.]*\\s?(%|x|USDT|[A-Z]{3,4})?$/;
    const BOXES = "td, th, dd, li, button, label, .ag-cell, .metric, .panel, .sidebar, .sheet, " +
        ".modal-content, .ticker-item, .field";
    const ownText = (e) => [...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
    for (const e of within.querySelectorAll("*")) {
        const texts = ownText(e);
        const words = texts.map((n) => n.data).join("").trim();
        if (!texts.length || !FIGURE.test(words) || !seen(e)) continue;
        const range = document.createRange();
        range.setStart(texts[0], 0);
        range.setEndAfter(texts.at(-1));
        const text = range.getBoundingClientRect();
        if (text.width < 2) continue; // for those alone who don't see
        const hides = (at) => ["hidden", "clip"].includes(flows(at));
        const scrolls = (at) => ["auto", "scroll"].includes(flows(at));
        for (const at of [e, ...parents(e)]) {
            if (scrolls(at) && at.scrollWidth > at.clientWidth) break;
            const box = at.getBoundingClientRect();
            const spills = text.right > box.right + 1 || text.left < box.left - 1;
            if (spills && (hides(at) || at.matches(BOXES))) {
                say("figure out of its box", e, `by ${text.right - box.right} px`);
                break;
            }
        }
    }

    for (const e of within.querySelectorAll(".metric, .sidebar-balance, .equation li")) {
        if (seen(e) && e.scrollWidth > e.clientWidth) say("more than fits into it", e);
    }

    // controls: in sight, apart, and large enough
    const controls = [...within.querySelectorAll(
        "a[href], button, input, select, textarea, summary, label.btn, [role=button], .pill")]
        .filter((e) => seen(e) && !e.matches(".btn-check") && !e.closest("#toasts, .ag-header"))
        .map((e) => ({ e, box: shown(e) }))
        .filter(({ box }) => box.width > 2 && box.height > 2);
    // the part of an element that no box it is scrolled in cuts off
    function shown(e) {
        const { left, right, top, bottom } = e.getBoundingClientRect();
        const box = { left, right, top, bottom };
        for (const at of parents(e)) {
            if (at === document.body || flows(at) === "visible") continue;
            const around = at.getBoundingClientRect();
            box.left = Math.max(box.left, around.left);
            box.right = Math.min(box.right, around.right);
            box.top = Math.max(box.top, around.top);
            box.bottom = Math.min(box.bottom, around.bottom);
        }
        return { ...box, width: box.right - box.left, height: box.bottom - box.top };
    }
    const isCut = (e, box) => box.width < e.getBoundingClientRect().width - 1 ||
        box.height < e.getBoundingClientRect().height - 1;
    const isInText = (e) => e.matches("a") && e.closest("p, li, span, td");
    const isTicked = (e) => e.matches("input:is([type=checkbox], [type=radio])");
    for (const { e, box } of controls) {
        if (box.left < -0.5 || box.right > width + 0.5) say("control out of sight", e);
        const panel = e.closest(".panel")?.getBoundingClientRect();
        if (panel && box.right > panel.right + 0.5) say("control out of its panel", e);
        const isSmall = Math.min(box.width, box.height) < 23.5;
        if (isSmall && !isCut(e, box) && !isInText(e) && !isTicked(e)) {
            say("control too small", e, `${box.width} x ${box.height}`);
        }
    }
    controls.forEach(({ e: one, box: a }, place) => {
        for (const { e: other, box: b } of controls.slice(place + 1)) {
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            const isOne = one.contains(other) || other.contains(one) ||
                one.control === other || other.control === one;
            if (wide > 1 && high > 1 && !isOne) say("controls overlap", one, `and ${other.id}`);
        }
    });
    return [...found];
"""


def misfits(browser: Browser, width: int) -> list[str]:
    """What of the page, or of the dialog that is open, does not fit on a screen of ``width`` px:
    a page that scrolls sideways, figures that are cut off or stand out of their box, controls that
    are out of sight, overlap or are smaller than 24 px (WCAG 2.2, 2.5.8)."""
    found: list[str] = browser.driver.execute_script(_MISFITS, width)
    return found
