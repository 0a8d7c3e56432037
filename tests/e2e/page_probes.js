// What the tests of the page ask it: one object of functions.
({
  // Every cell that says which member of the status it shows: [path, value, text].
  cells: () => [...document.querySelectorAll("[data-path]")].map(
    (cell) => [cell.dataset.path, JSON.parse(cell.dataset.value || "null"), cell.innerText.trim()]),

  // Texts with too little contrast to what is behind them (WCAG 2, AA).
  faint: () => {
    const numbers = (color) => color.match(/[\d.]+/g).map(Number);
    const light = (color) => {
      const [r, g, b] = numbers(color).slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let e = element; e; e = e.parentElement) {
        const color = getComputedStyle(e).backgroundColor, alpha = numbers(color)[3];
        if (alpha === undefined) return color;
        if (alpha > 0) throw new Error("a background that shines through: " + e.id);
      }
      throw new Error("no background");
    };
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement, style = getComputedStyle(element);
      if (!walker.currentNode.data.trim() || !element.getClientRects().length ||
          ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
      let opacity = 1;
      for (let e = element; e; e = e.parentElement) opacity *= getComputedStyle(e).opacity;
      const color = element.ownerSVGElement ? style.fill : style.color;
      const [a, b] = [light(color), light(behind(element))].sort((x, y) => y - x);
      if (opacity < 1 || (a + 0.05) / (b + 0.05) < 4.5)
        found.push(walker.currentNode.data.trim() + ": " + color + " on " + behind(element));
    }
    return found;
  },

  // What reaches beyond the right edge of the window.
  wide: () => [...document.querySelectorAll("main *, header *, footer *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".hidden, thead"))
    .map((e) => e.tagName + " " + e.textContent.slice(0, 60))
    .concat(document.documentElement.scrollWidth > innerWidth ? ["the page"] : []),

  // What has the focus, and whether that is to be seen.
  focus: () => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return [e.innerText.trim(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.left >= 0];
  },

  // States that are told by color alone.
  mute: () => [...document.querySelectorAll(".state")]
    .filter((e) => !e.textContent.trim() || !e.querySelector("use")).length,
})
