"""Watch type 'redis', by itself."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import faults
import pytest
import redis as client
from fleet import WAIT, until
from required import required
from watching import State, watching

from waffleconf_admin.sync import redis
from waffleconf_admin.sync.redis import RedisWatch

CHANNEL = "shop"


def make(url: str) -> tuple[State, RedisWatch]:
    state = State(WAFFLE_REDIS_URL=url, WAFFLE_REDIS_CHANNEL=CHANNEL)
    return state, RedisWatch(state)


def test_a_watcher_reads_once_it_has_subscribed_and_at_each_notification(redis_server: str) -> None:
    state, watch_type = make(redis_server)
    with watching(watch_type):
        assert state.reloads_soon()
        make(redis_server)[1].notify()
        assert state.reloads_soon()


def test_the_payload_is_that_of_031(redis_server: str) -> None:
    with client.Redis.from_url(redis_server) as connection, connection.pubsub() as pubsub:
        pubsub.subscribe(CHANNEL)
        pubsub.get_message(timeout=WAIT)
        make(redis_server)[1].notify()
        message: Any = pubsub.get_message(timeout=WAIT)
    assert abs(float(message["data"]) - time.time()) < 60


def test_any_payload_is_a_notification(redis_server: str) -> None:
    state, watch_type = make(redis_server)
    with watching(watch_type), client.Redis.from_url(redis_server) as connection:
        assert state.reloads_soon()
        for payload in (b"1479000000.5", b"not a number", b"", b"\xff" * 2**20):
            connection.publish(CHANNEL, payload)
            assert state.reloads_soon(), payload


def test_a_notification_is_sent_though_redis_has_closed_the_connection(redis_server: str) -> None:
    state, watch_type = make(redis_server)
    with watching(watch_type), client.Redis.from_url(redis_server) as connection:
        assert state.reloads_soon()
        watch_type.notify()
        assert state.reloads_soon()
        connection.client_kill_filter(_type="normal", skipme=True)
        watch_type.notify()
        assert state.reloads_soon()


def test_host_and_port_are_used(redis_server: str) -> None:
    port = int(redis_server.rsplit(":", 1)[1].split("/")[0])
    assert port != 6379
    state = State(WAFFLE_REDIS_HOST="127.0.0.1", WAFFLE_REDIS_PORT=port)
    watch_type = RedisWatch(state)
    with watching(watch_type):
        assert state.reloads_soon()
        watch_type.notify()
        assert state.reloads_soon()


def test_notifications_share_a_connection(redis_server: str) -> None:
    _, watch_type = make(redis_server)
    with client.Redis.from_url(redis_server) as connection:

        def connections() -> int:
            statistics: Any = connection.info("stats")
            return int(statistics["total_connections_received"])

        before = connections()
        for _ in range(3):
            watch_type.notify()
        assert connections() == before + 1


def test_messages_without_a_pause_do_not_put_off_the_reload(
    redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = time.monotonic() + 10

    def get_message(*args: object, **options: object) -> dict[str, str] | None:
        return {"type": "message"} if time.monotonic() < end else None

    monkeypatch.setattr(client.client.PubSub, "get_message", get_message)
    state, watch_type = make(redis_server)
    with watching(watch_type):
        assert until(lambda: state.reloads >= 2)
        assert time.monotonic() < end


def test_messages_that_are_there_already_are_one_reload(redis_server: str) -> None:
    state, watch_type = make(redis_server)
    with watching(watch_type), client.Redis.from_url(redis_server) as connection:
        assert state.reloads_soon()
        before = state.reloads
        with connection.pipeline() as pipeline:
            for _ in range(1000):
                pipeline.publish(CHANNEL, b"")
            pipeline.execute()
        watch_type.notify()
        assert state.reloads_soon()
        assert state.reloads - before < 500


def test_a_failed_reload_is_tried_again(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "RETRY", 0.05)
    state, watch_type = make(redis_server)
    state.results = [False]
    with watching(watch_type):
        assert until(lambda: state.reloads >= 2)


def test_a_cut_connection_is_noticed(redis_server: str) -> None:
    state, watch_type = make(redis_server)
    with watching(watch_type) as errors:
        assert state.reloads_soon()
        with client.Redis.from_url(redis_server) as connection:
            connection.client_kill_filter(_type="pubsub")
        # redis-py may reconnect by itself, which is a reload, or raise, which the thread handles
        assert until(lambda: errors or state.reloads >= 2)


# A server that does not answer


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers that ping a silent Redis after half a second, not after five."""
    monkeypatch.setattr(redis, "PING_AFTER", 0.5)


def test_a_hung_redis_is_an_error(impatient: None) -> None:
    with required(), faults.restartable_redis() as (url, server):
        state, watch_type = make(url)
        with watching(watch_type) as errors:
            assert state.reloads_soon()
            server.send(signal.SIGSTOP)
            assert until(lambda: errors)
    assert "does not answer" in str(errors[0])


def test_a_quiet_redis_is_pinged_and_is_no_error(redis_server: str, impatient: None) -> None:
    state, watch_type = make(redis_server)
    with client.Redis.from_url(redis_server) as connection, watching(watch_type) as errors:
        assert state.reloads_soon()
        connection.config_resetstat()

        def pings() -> int:
            statistics: Any = connection.info("commandstats")
            return int(statistics.get("cmdstat_ping", {}).get("calls", 0))

        assert until(lambda: errors or pings() >= 3)
        assert errors == [] and state.reloads == 1


def test_a_reload_that_takes_long_is_no_silence_of_redis(
    redis_server: str, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, watch_type = make(redis_server)
    update, waited = state.update_conf, threading.Event()

    def update_conf() -> Any:
        waited.wait(3 * redis.PING_AFTER)
        waited.set()
        return update()

    monkeypatch.setattr(state, "update_conf", update_conf)
    with watching(watch_type) as errors:
        assert state.reloads_soon()
        threading.Event().wait(3 * redis.PING_AFTER)  # by then it would have been raised
        assert errors == []


def test_an_unreachable_redis_is_an_error_at_once() -> None:
    _, watch_type = make("redis://127.0.0.1:1/0")
    before = time.monotonic()
    with pytest.raises(client.RedisError):
        watch_type.notify()
    assert time.monotonic() - before < WAIT
