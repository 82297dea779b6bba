"""The table, for people in front of a terminal, and as Markdown."""

from rows import TOO_NOISY


def print_table(rows, servers, markdown):
    peers = [name for name in servers if name != "cordon"]
    head = ["", "", *servers, "of the best", "bar", "foreign", "steal"]
    body = [line(row, servers, peers) for row in rows if row.values]
    if markdown:
        print("| " + " | ".join(head) + " |\n|---|---|" + "--:|" * (len(head) - 2))
        for cells in body:
            print("| " + " | ".join(cells) + " |")
    else:
        widths = [max(len(cells[i]) for cells in [head, *body]) for i in range(len(head))]
        for cells in [head, *body]:
            print("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths))).rstrip())
    noisy = [row.title for row in rows if row.noise and max(row.noises()) > TOO_NOISY]
    print("\nforeign, steal: cores that were busy with neither server, load nor upstream, and those that the host took.")
    print("Memory: of a peer with its cache; of Cordon without. At the peak too.")
    print("dnsdist and pdns-recursor refuse the listed names alone here, Cordon and unbound what is below them too.")
    if noisy:
        print("Too noisy, measure again: " + "; ".join(noisy) + ".")


def line(row, servers, peers):
    def cell(value):
        return "" if value is None else f"{value:,.{row.digits}f}"

    values = [cell(row.median(name)) for name in servers]
    if row.key == "floor":
        values[servers.index("cordon")] = f"({cell(row.median('echo'))})"
    ratio, noise = row.ratio(peers), row.noises()
    wanted = [f"{row.bar:g}"] if row.bar else []
    wanted += [f"{row.ratio_bar:.2f}x"] if row.ratio_bar else []
    return [row.title, row.unit, *values, f"{ratio:.2f}x" if ratio and row.ratio_bar else "", ", ".join(wanted),
            *([f"{n:.2f}" for n in noise] if noise else ["", ""])]
