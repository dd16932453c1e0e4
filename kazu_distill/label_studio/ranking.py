"""The tab of the Data Manager that lists tasks by rank, the one that is worth most first."""

from __future__ import annotations

from label_studio_sdk import LabelStudio

from kazu_distill.label_studio.connection import call

_TITLE = "by priority"
_COLUMN = "tasks:data.priority"


def rank_tab(client: LabelStudio, project: int) -> None:
    """Make the tab where there is none of its name; "Label all tasks" in it goes through the tasks in its order."""
    tabs = call(client, "GET", "api/dm/views/", params={"project": project})
    if any(tab["data"].get("title") == _TITLE for tab in tabs):
        return
    # As numbers: Label Studio would else compare their digits, from the left.
    data = {"title": _TITLE, "ordering": [f"-{_COLUMN}"], "columnsDisplayType": {_COLUMN: "Number"}}
    call(client, "POST", "api/dm/views/", body={"project": project, "data": data})
