"""The labelling view: classes, section and text as the page of Label Studio lays them out."""

from __future__ import annotations

from xml.etree import ElementTree

from kazu_distill.excerpts import beginning
from kazu_distill.label_studio.colours import colours_of
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.schema import Schema

# The names that tie a region to the control and the text of the view. Label Studio drops a prediction that names
# others, without an error.
LABELS = "label"
TEXT = "text"

HOT_KEYS = "123456789qwetasdfgzxcvbyiopjklnmr"
"""Keys of classes, in order. Of the single keys Label Studio has ``u`` for itself, and ``h`` on pictures."""

_LONGEST_HINT = 300
# Classes stay in sight while a long section is scrolled; the colour is the page's, light or dark.
_IN_SIGHT = "position: sticky; top: 0; z-index: 5; padding-bottom: 8px; background: var(--color-neutral-background)"


def labelling_view(schema: Schema) -> str:
    """The XML of the view: document and section, a box to find a class in, the classes, the text.

    Classes are in the schema's order and (as far as they can be read) colours; the first have hot keys; a definition is
    shown where the pointer rests on its class.
    """
    view = ElementTree.Element("View")
    head = ElementTree.SubElement(view, "View", style=_IN_SIGHT)
    ElementTree.SubElement(head, "Header", value="$document", size="5")
    ElementTree.SubElement(head, "Header", value="$section", size="6")
    ElementTree.SubElement(head, "Filter", name="filter", toName=LABELS, minlength="0", placeholder="find a class")
    labels = ElementTree.SubElement(head, "Labels", name=LABELS, toName=TEXT, choice="single", showInline="true")
    for number, (entity_class, colour) in enumerate(zip(schema.classes, colours_of(schema.classes), strict=True)):
        label = ElementTree.SubElement(labels, "Label", _named(entity_class.name), background=colour)
        if number < len(HOT_KEYS):
            label.set("hotkey", HOT_KEYS[number])
        if entity_class.definition:
            label.set("hint", beginning(" ".join(entity_class.definition.split()), _LONGEST_HINT))
    # By symbol, since a selection by word would move the ends of what a reviewer marks inside a word.
    ElementTree.SubElement(view, "Text", name=TEXT, value="$text", valueType="text", granularity="symbol")
    return ElementTree.tostring(view, encoding="unicode")


def with_classes(view: str, schema: Schema) -> str:
    """A view with the classes of a schema that it lacks added; as it is where it lacks none.

    Raises:
        LabelStudioError: it has no place for them, because somebody renamed or removed it.
    """
    root = ElementTree.fromstring(view, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    labels = next(
        (each for each in root.iter("Labels") if each.get("name") == LABELS and each.get("toName") == TEXT), None
    )
    if labels is None or not any(each.get("name") == TEXT for each in root.iter("Text")):
        raise LabelStudioError(
            f'the labelling view has no <Labels name="{LABELS}" toName="{TEXT}"> and <Text name="{TEXT}"> (any more), '
            "to which spans belong; bring them back in the project's settings, or set label_studio.title to another one"
        )
    lacking = set(schema.labels) - classes_of(view)
    if not lacking:
        return view
    taken = {label.get("hotkey") for label in labels.iter("Label")}
    for label in ElementTree.fromstring(labelling_view(schema)).iter("Label"):
        if _class_of(label) in lacking:
            if label.get("hotkey") in taken:
                del label.attrib["hotkey"]
            labels.append(label)
    return ElementTree.tostring(root, encoding="unicode")


def classes_of(view: str) -> set[str]:
    """The classes that the XML of a labelling view offers."""
    return {_class_of(label) for label in ElementTree.fromstring(view).iter("Label")}


def _named(name: str) -> dict[str, str]:
    """What a class is shown as, and, where that differs, what a span of it says.

    Label Studio takes ``$word`` for a field of the task, unless something invisible comes between.
    """
    return {"value": name.replace("$", "$\u200b"), "alias": name} if "$" in name else {"value": name}


def _class_of(label: ElementTree.Element) -> str:
    return label.get("alias", "") or label.get("value", "")
