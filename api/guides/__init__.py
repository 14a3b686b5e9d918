"""Guides for Neo4j Browser: one source each (NAME.md here), as HTML for the bundled Browser, AsciiDoc for the newest.

A source has a `# title`, and slides that begin with `## title`. A slide holds paragraphs, `* ` lists and blocks of
Cypher between ``` fences; a block whose fence names a statement ("```cypher analyst/hubs") is that statement.
In texts there are `code` and [links](guide:NAME) to other guides.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import cycle
from pathlib import Path

from cypher import source

FOLDER = Path(__file__).parent
STYLE = "style.grass"
_COLOURS = ("57C7E3", "23B3D7"), ("8DCC93", "5DB665"), ("D9C8AE", "C0A378"), ("C990C0", "B261A5"), ("FFC454", "D7A013")
_INLINE = re.compile(r"`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\(guide:(?P<guide>\w+)\)")


@dataclass(frozen=True)
class Block:
    """kind: "text", "list" or "cypher". lines: of the text; the points of the list; one with the whole query."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Slide:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Guide:
    title: str
    slides: tuple[Slide, ...]

    @property
    def queries(self) -> tuple[str, ...]:
        """All that can be run, in their order."""
        blocks = (block for slide in self.slides for block in slide.blocks)
        return tuple(block.lines[0] for block in blocks if block.kind == "cypher")


def guide_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def read_guide(name: str) -> Guide:
    """Raises: KeyError for a name that is none of `guide_names`."""
    if name not in guide_names():
        raise KeyError(name)
    head, *slides = re.split(r"^## ", (FOLDER / f"{name}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = [text.partition("\n") for text in slides]
    return Guide(head.removeprefix("# ").strip(), tuple(Slide(title, tuple(_blocks(body))) for title, _, body in parts))


def as_html(guide: Guide, folder_url: str) -> str:
    """folder_url: where the guides are, such as http://127.0.0.1:8080/guides."""

    def link(name: str, text: str) -> str:
        return f'<a play-topic="{escape(folder_url)}/{name}.html">{escape(text)}</a>'

    def inline(text: str) -> str:
        return _rendered(text, escape, lambda code: f"<code>{escape(code)}</code>", link)

    def block(each: Block) -> str:
        if each.kind == "cypher":
            classes = "highlight pre-scrollable programlisting cm-s-neo code runnable standalone-example"
            return f'<figure><pre mode="cypher" class="{classes}">{escape(each.lines[0])}</pre></figure>'
        if each.kind == "list":
            return "<ul>" + "".join(f"<li>{inline(line)}</li>" for line in each.lines) + "</ul>"
        return f"<p>{inline(' '.join(each.lines))}</p>"

    slides = (
        f'<slide class="row-fluid"><div class="col-sm-12"><h3>{escape(slide.title)}</h3>\n'
        + "\n".join(map(block, slide.blocks))
        + "\n</div></slide>"
        for slide in guide.slides
    )
    title = f"<title>{escape(guide.title)}</title>\n"
    body = "\n".join(slides)
    return f'{title}<article class="guide"><carousel class="deck container-fluid">\n{body}\n</carousel></article>\n'


def as_asciidoc(guide: Guide, folder_url: str) -> str:
    """folder_url: where the guides are."""

    def link(name: str, text: str) -> str:
        return f"{text} (`+:guide {folder_url}/{name}.adoc+`)"

    def block(each: Block) -> str:
        if each.kind == "cypher":
            return f"[source,cypher]\n----\n{each.lines[0]}\n----"
        lines = [_rendered(line, str, lambda code: f"`+{code}+`", link) for line in each.lines]
        return "\n".join(f"* {line}" for line in lines) if each.kind == "list" else "\n".join(lines)

    slides = (f"== {slide.title}\n\n" + "\n\n".join(map(block, slide.blocks)) for slide in guide.slides)
    return f"= {guide.title}\n\n" + "\n\n".join(slides) + "\n"


def style_of(labels: Iterable[str]) -> str:
    """style.grass, with a rule for each of these entity types: the Browser invents one for a label that has none."""
    rules = (
        f"\nnode.{label} {{\n  color: #{colour};\n  border-color: #{border};\n  text-color-internal: #2A2C34;\n"
        "  defaultCaption: '<id>';\n  caption: '{name}';\n}\n"
        for label, (colour, border) in zip(labels, cycle(_COLOURS), strict=False)
    )
    return (FOLDER / STYLE).read_text(encoding="utf-8") + "".join(rules)


def _blocks(body: str) -> Iterator[Block]:
    """A slide's blocks, in their order."""
    fenced = re.split(r"^```cypher ?(\S*)\n(.*?)^```$", body, flags=re.MULTILINE | re.DOTALL)
    for place in range(0, len(fenced), 3):
        for part in re.split(r"\n\s*\n", fenced[place].strip()):
            lines = tuple(part.splitlines())
            if lines and lines[0].startswith("* "):
                yield Block("list", tuple(line.removeprefix("* ") for line in lines))
            elif lines:
                yield Block("text", lines)
        if place + 2 < len(fenced):
            name, text = fenced[place + 1], fenced[place + 2]
            yield Block("cypher", (_saved(name) if name else text.strip(),))


def _saved(name: str) -> str:
    return "\n".join(line for line in source(name).splitlines() if not line.startswith("//")).strip()


def _rendered(
    text: str, plain: Callable[[str], str], code: Callable[[str], str], link: Callable[[str, str], str]
) -> str:
    """A line with its codes and links replaced, and what is between them made plain."""
    parts: list[str] = []
    end = 0
    for match in _INLINE.finditer(text):
        parts.append(plain(text[end : match.start()]))
        parts.append(code(match["code"]) if match["code"] else link(match["guide"], match["text"]))
        end = match.end()
    return "".join([*parts, plain(text[end:])])
