"""Words of the workspace switcher."""

TITLE = "Switch workspace"
LEAD = "Your workspace and all workspaces below it."
SEARCH = "Search workspaces"
SEARCH_HINT = "Name or id"
NONE = "No workspace matches “{search}”."
HERE = "current"
FOUND = "{total} workspaces"
FOUND_ONE = "1 workspace"
TYPES = {"channel": "Channel", "child": "Child", "regular": "Regular"}
