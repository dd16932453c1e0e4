"""The labelling view: classes, section and text as the page of Label Studio lays them out."""

from __future__ import annotations

from xml.etree import ElementTree

from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.schema import Schema

# The names that tie a region to the control and the text of the view. Label Studio drops a prediction that names
# others, without an error.
LABELS = "label"
TEXT = "text"


def labelling_view(schema: Schema) -> str:
    """The XML of the view: the classes in the schema's order and colours, above the section's text.

    A class name is shown as it is, but for ``$word``, which Label Studio takes for a field of the task.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$document", size="5")
    ElementTree.SubElement(view, "Header", value="$section", size="6")
    labels = ElementTree.SubElement(view, "Labels", name=LABELS, toName=TEXT)
    for entity_class in schema.classes:
        ElementTree.SubElement(labels, "Label", value=entity_class.name, background=entity_class.colour)
    # By symbol, since a selection by word would move the ends of what a reviewer marks inside a word.
    ElementTree.SubElement(view, "Text", name=TEXT, value="$text", valueType="text", granularity="symbol")
    return ElementTree.tostring(view, encoding="unicode")


def with_classes(view: str, schema: Schema) -> str:
    """A view with the classes of a schema that it lacks added; as it is where it lacks none.

    Raises:
        LabelStudioError: it has no place for them, because somebody renamed or removed it.
    """
    lacking = set(schema.labels) - classes_of(view)
    root = ElementTree.fromstring(view, ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True)))
    labels = next(
        (each for each in root.iter("Labels") if each.get("name") == LABELS and each.get("toName") == TEXT), None
    )
    if labels is None or not any(each.get("name") == TEXT for each in root.iter("Text")):
        raise LabelStudioError(
            f'the labelling view has no <Labels name="{LABELS}" toName="{TEXT}"> and <Text name="{TEXT}"> (any more), '
            "to which spans belong; bring them back in the project's settings, or set label_studio.title to another one"
        )
    if not lacking:
        return view
    ours = ElementTree.fromstring(labelling_view(schema))
    labels.extend(label for label in ours.iter("Label") if label.get("value") in lacking)
    return ElementTree.tostring(root, encoding="unicode")


def classes_of(view: str) -> set[str]:
    """The classes that the XML of a labelling view offers."""
    return {label.get("value", "") for label in ElementTree.fromstring(view).iter("Label")}
