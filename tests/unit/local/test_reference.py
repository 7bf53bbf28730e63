"""The page of the REST API names every operation, with a call that can be copied."""

from deploy.reference import reference
from services.api.app import make_routes
from services.api.docs.document import operations


def test_every_operation_has_a_heading_and_a_call() -> None:
    document = make_routes().openapi()
    text = reference(document)
    told = [operation for _, operation in operations(document)]
    assert text.count("\n#### ") == len(told)
    assert text.count("```sh\ncurl ") == len(told)
    assert all(f"#### {operation['summary']}\n" in text for operation in told)
    assert "{webhook_id}`" in text
    assert '/{webhook_id}"' not in text
