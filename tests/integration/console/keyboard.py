"""A page worked by nothing but the keyboard."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Locator, Page

MOST = 120

# Scrolling to what has the focus takes a frame or two.
_FOCUS = """async () => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 20));
  return {
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    covered: !(top && (at === top || at.contains(top) || top.contains(at))),
    what: at.outerHTML.slice(0, 160),
  };
}"""


@dataclass
class Keyboard:
    """Goes through a page by Tab, and complains about a place that cannot be seen."""

    page: Page

    async def to(self, target: Locator) -> None:
        """Press Tab until the target has the focus; every stop on the way is visible."""
        for _ in range(MOST):
            await self.page.keyboard.press("Tab")
            focus = await self.page.evaluate(_FOCUS)
            assert focus is None or (focus["outline"] and focus["inside"] and not focus["covered"]), focus
            if await target.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"Tab does not reach {target}")

    async def stops(self) -> list[str]:
        """What has the focus one after the other, from the top of the page until Tab leaves it."""
        await self.page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
        found: list[str] = []
        for _ in range(MOST * 3):
            await self.page.keyboard.press("Tab")
            focus = await self.page.evaluate(_FOCUS)
            if focus is None or (found and focus["what"] == found[0]):  # out of the page, or around it once
                return found
            found.append(focus["what"])
        raise AssertionError(f"Tab never leaves the page: {found[-5:]}")

    async def press(self, key: str) -> None:
        await self.page.keyboard.press(key)

    async def write(self, text: str) -> None:
        await self.page.keyboard.type(text)
