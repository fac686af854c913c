"""User data of an instance into the settings of its agent."""

from __future__ import annotations

import base64
import gzip

import pytest

from bulkhead.clients.cloud.agent import agent_settings
from bulkhead.core.errors import SourceError

BLOCKED = {"ECS_AWSVPC_BLOCK_IMDS": "true", "ECS_CLUSTER": "shop"}


def told(text: str, *, packed: bool = False) -> dict[str, str]:
    data = gzip.compress(text.encode()) if packed else text.encode()
    return agent_settings(base64.b64encode(data).decode())


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\necho ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\n",
        "#!/bin/bash\ncat <<'EOF' >> /etc/ecs/ecs.config\nECS_CLUSTER=shop\nECS_AWSVPC_BLOCK_IMDS=true\nEOF\n",
        "#!/bin/bash\nprintf 'ECS_CLUSTER=shop\\nECS_AWSVPC_BLOCK_IMDS=true' > /etc/ecs/ecs.config\n",
        '#!/bin/bash\necho "ECS_CLUSTER=shop" >> /etc/ecs/ecs.config; echo "ECS_AWSVPC_BLOCK_IMDS=true" >> /etc/ecs/ecs.config\n',
        "#cloud-config\nwrite_files:\n- path: /etc/ecs/ecs.config\n  content: |\n    ECS_CLUSTER=shop\n    ECS_AWSVPC_BLOCK_IMDS=true\n",
        '[settings.ecs]\ncluster = "shop"\nawsvpc-block-imds = true\n',
        '[settings]\necs.cluster = "shop"\necs.awsvpc-block-imds = true\n',
    ],
)
def test_settings_are_read_as_machines_write_them(text: str) -> None:
    assert told(text) == BLOCKED
    assert told(text, packed=True) == BLOCKED


def test_what_is_written_last_holds_and_comments_do_not() -> None:
    text = "#!/bin/sh\n# echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\n"
    assert told(text) == {"ECS_CLUSTER": "shop"}
    assert told(text + "echo ECS_CLUSTER=other >> /etc/ecs/ecs.config\n") == {"ECS_CLUSTER": "other"}


def test_a_file_that_is_written_anew_holds_what_is_written_then() -> None:
    text = "echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\necho ECS_CLUSTER=a > /etc/ecs/ecs.config\n"
    assert told(text) == {"ECS_CLUSTER": "a"}


def test_secrets_stay_where_they_are() -> None:
    found = told(
        'echo \'ECS_ENGINE_AUTH_DATA={"r":{"password":"hunter2"}}\' >> /etc/ecs/ecs.config\necho ECS_CLUSTER=a >> /etc/ecs/ecs.config\n'
    )
    assert found == {"ECS_CLUSTER": "a"}
    assert told('[settings.ecs]\ncluster = "a"\nbackend-host = "secret"\n') == {"ECS_CLUSTER": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#!/bin/sh\ncurl -s http://setup.example | sh\n",
        "echo ECS_AWSVPC_BLOCK_IMDS=$BLOCK >> /etc/ecs/ecs.config\n",
        "if grep -q a b; then\n  echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\nfi\n",
        "export ECS_AWSVPC_BLOCK_IMDS=true\necho ECS_CLUSTER=a >> /etc/ecs/ecs.config\n",
        "echo ECS_AWSVPC_BLOCK_IMDS=true >> /tmp/x\necho ECS_CLUSTER=a >> /etc/ecs/ecs.config\n",
        "echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\nrm /etc/ecs/ecs.config\n",
        "echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\nsed -i s/true/false/ /etc/ecs/ecs.config\n",
        "echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\ncat /tmp/base >> /etc/ecs/ecs.config\n",
        'echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\necho "$MORE" >> /etc/ecs/ecs.config\n',
        "echo ECS_AWSVPC_BLOCK_IMDS=true | tee -a /etc/ecs/ecs.config\n",
        "cat <<EOF >> /etc/ecs/ecs.config\nECS_AWSVPC_BLOCK_IMDS=true\n",
        "#cloud-config\nwrite_files:\n- {path: /etc/ecs/ecs.config, content: ECS_AWSVPC_BLOCK_IMDS=true}\nruncmd: [rm /etc/ecs/ecs.config]\n",
        "#cloud-config\nwrite_files:\n- {path: /tmp/x, content: ECS_AWSVPC_BLOCK_IMDS=true}\n",
        "test -f a && echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config\n",
        '[settings.host]\nmotd = "x"\n',
    ],
)
def test_what_does_not_tell_is_no_answer(text: str) -> None:
    with pytest.raises(SourceError):
        told(text)


def test_what_is_no_user_data_is_refused_within_bounds() -> None:
    for encoded in ("%%%", base64.b64encode(b"\x1f\x8bbroken").decode(), base64.b64encode(b"\xff\xfe\x00").decode()):
        with pytest.raises(SourceError):
            agent_settings(encoded)
    bomb = gzip.compress(b"a" * 10_000_000)
    with pytest.raises(SourceError, match="more than"):
        agent_settings(base64.b64encode(bomb).decode())
