"""The picture of .ci/growth: small panels side by side, both axes logarithmic, the same times in all of them.

It is one SVG without scripts or fonts of its own: light or dark as the reader's system is, light on paper. Lines differ by colour, by dash and
by mark. A screen reader gets the figures as text.
"""

import html
import math

COLUMNS, WIDTH, HEIGHT = 3, 300, 246  # of panels; of one panel with its margins
LEFT, RIGHT, TOP, BOTTOM = 52, 34, 66, 34  # margins of a panel
HEAD, FOOT = 56, 12

STYLE = """
  svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 12px; }
  .page { fill: #ffffff; } .text { fill: #1f2328; } .quiet { fill: #57606a; } .grid { stroke: #d8dee4; stroke-width: 1; }
  .small { font-size: 11px; }
  .guide { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 2 3; } .big { font-size: 17px; font-weight: 600; } .name { font-size: 13px; font-weight: 600; }
  .line { fill: none; stroke-width: 2; } .line1 { stroke-dasharray: 6 4; }
  .line0, .dot0 { stroke: #0550ae; } .line1, .dot1 { stroke: #a04100; }
  .dot0 { fill: #0550ae; } .dot1 { fill: #ffffff; stroke-width: 2; } .value0 { fill: #0550ae; } .value1 { fill: #a04100; }
  .value0, .value1 { paint-order: stroke; stroke: #ffffff; stroke-width: 4; stroke-linejoin: round; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; } .text { fill: #e6edf3; } .quiet { fill: #9198a1; } .grid { stroke: #30363d; }
    .line0, .dot0 { stroke: #79c0ff; } .line1, .dot1 { stroke: #ffa657; }
    .dot0 { fill: #79c0ff; } .dot1 { fill: #0d1117; } .value0 { fill: #79c0ff; } .value1 { fill: #ffa657; }
    .value0, .value1 { stroke: #0d1117; }
  }
"""


def draw(panels):
    """panels: by title, by what a line is, points of a number (above 0) and nanoseconds."""
    times = [ns for lines in panels.values() for points in lines.values() for _, ns in points]
    bounds = math.floor(math.log10(min(times))), max(4, math.ceil(math.log10(max(times))))
    columns = min(COLUMNS, len(panels))
    width, height = columns * WIDTH, HEAD + math.ceil(len(panels) / columns) * HEIGHT + FOOT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
             'aria-labelledby="title desc">',
             '<title id="title">CPU time of one query against the size of everything that may be large</title>',
             f'<desc id="desc">{html.escape(told(panels))}</desc>', f"<style>{STYLE}</style>",
             f'<rect class="page" width="{width}" height="{height}"/>',
             text(20, 28, "CPU time of one query, by how much there is of something", "text big"),
             text(20, 46, "from its octets to those of its answer, without the sockets; both axes are logarithmic", "quiet")]
    for i, (title, lines) in enumerate(panels.items()):
        parts += panel(title, lines, bounds, i % columns * WIDTH, HEAD + i // columns * HEIGHT)
    return "\n".join([*parts, "</svg>"]) + "\n"


def told(panels):
    """The figures as sentences."""
    return " ".join(
        f"{title}, {line}: " + ", ".join(f"{length(ns)} with {count(n)}" for n, ns in points) + "."
        for title, lines in panels.items() for line, points in lines.items()
    )


def panel(title, lines, bounds, x, y):
    sizes = [n for points in lines.values() for n, _ in points]
    low, high = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    left, right, top, bottom = x + LEFT, x + WIDTH - RIGHT, y + TOP, y + HEIGHT - BOTTOM

    def across(n):
        return left + (math.log10(n) - low) / max(1, high - low) * (right - left)

    def down(ns):
        return bottom - (math.log10(ns) - bounds[0]) / (bounds[1] - bounds[0]) * (bottom - top)

    parts = [text(left, y + 20, title, "text name")]
    for power in range(bounds[0], bounds[1] + 1):
        at = down(10**power)
        parts += [f'<path class="grid" d="M{left} {at:.1f}H{right}"/>', text(left - 6, at + 4, length(10**power), "quiet", "end")]
    for power in range(low, high + 1):
        at = across(10**power)
        parts.append(f'<path class="grid" d="M{at:.1f} {bottom}v4"/>')
        if power == high or (power - low) % (2 if high - low > 4 else 1) == 0 and high - power != 1:
            parts.append(text(at, bottom + 17, count(10**power), "quiet", "middle"))
    parts += guide(next(iter(lines.values()))[0], 10 ** bounds[1], across, down)
    for i, (line, points) in enumerate(lines.items()):
        parts += curve(i, points, across, down, others=[other for other in lines.values() if other is not points])
        parts += [dot(i, left + 4, y + 36 + 16 * i - 4), text(left + 13, y + 36 + 16 * i, line, "quiet")]
    return parts


def guide(first, most, across, down):
    """Where the line would go if the time grew as the number does."""
    n, ns = first
    end = across(n * most / ns), down(most)
    return [f'<path class="guide" d="M{across(n):.1f} {down(ns):.1f}L{end[0]:.1f} {end[1]:.1f}"/>',
            text(end[0] + 5, end[1] + 14, "if it were linear", "quiet small")]


def curve(i, points, across, down, others):
    spots = [(across(n), down(ns)) for n, ns in points]
    path = "L".join(f"{a:.1f} {b:.1f}" for a, b in spots)
    parts = [f'<path class="line line{i}" d="M{path}"/>', *(dot(i, a, b) for a, b in spots)]
    for end, anchor, aside in ((0, "start", -3), (-1, "end", 3)):
        ns = points[end][1]
        below = any(other[end][1] > ns for other in others)  # so that two figures don't meet
        parts.append(text(spots[end][0] + aside, spots[end][1] + (20 if below else -10), length(ns), f"value{i}", anchor))
    return parts


def dot(i, a, b):
    return f'<circle class="dot{i}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>'


def text(x, y, words, look, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{look}" text-anchor="{anchor}">{html.escape(words)}</text>'


def length(ns):
    for unit, word in ((1e6, "ms"), (1e3, "µs")):
        if round(ns) >= unit:
            return f"{ns / unit:.3g} {word}"
    return f"{ns:.0f} ns"


def count(n):
    for unit, word in ((10**6, " million"), (10**3, ",000")):
        if n >= unit:
            return f"{n // unit}{word}"
    return str(n)
