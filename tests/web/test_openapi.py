"""The OpenAPI document is what the API does: no 5xx, no status that is not documented (schemathesis, bounded)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.bootstrap import Knowledge
from bot.channels.web.app import openapi
from tests.web.conftest import Running, running_server

pytestmark = pytest.mark.filterwarnings("default")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def server(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_server(knowledge, tmp_path_factory.mktemp("openapi")) as made:
        yield made


@pytest.fixture(scope="module")
def operations(server: Running) -> list[object]:
    schema = schemathesis.openapi.from_dict(openapi(server.app))
    return [found.ok() for found in schema.get_all_operations()]


def test_every_operation_conforms(server: Running, operations: list[object]) -> None:
    tried = 0
    for operation in operations:
        if operation.path.endswith("/events"):  # endless by nature; test_service reads one
            continue

        @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def one(case: schemathesis.Case) -> None:
            nonlocal tried
            started = requests.post(f"{server.url}/api/v1/conversations", timeout=10).json()
            if case.path_parameters and "conversation_id" in case.path_parameters and tried % 3:
                case.path_parameters["conversation_id"] = started["id"]
            headers = {"Authorization": f"Bearer {started['token']}"} if tried % 7 else {}
            tried += 1
            case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)

        from hypothesis import given

        given(case=operation.as_strategy())(one)()
    assert tried > 100


def test_every_operation_has_a_summary_an_example_and_documented_problems(server: Running) -> None:
    document = openapi(server.app)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for name in ("requestBody",):
                for media in operation.get(name, {}).get("content", {}).values():
                    schema = document["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
                    assert "example" in schema or "examples" in schema, (method, path)
            if "{conversation_id}" in path:
                assert {"401", "404", "422", "429"} <= set(operation["responses"]), (method, path)
                assert operation["security"]
