# One container, non-root, made for a read-only root file system and one data volume: docs/container.md.
# There is no syntax line, so that BuildKit and Buildah build this without fetching a front end first.

FROM python:3.13-slim AS dependencies
ENV PIP_CACHE_DIR=/var/cache/pip \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN ["python3", "-m", "venv", "--without-pip", "/opt/venv"]
COPY requirements.lock ./
RUN --mount=type=cache,target=/var/cache/pip \
    python3 -m pip --python /opt/venv/bin/python install --no-compile --no-deps --require-hashes -r requirements.lock


FROM dependencies AS project
COPY pyproject.toml README.md ./
COPY checks checks
COPY monitor monitor
RUN ["python3", "-m", "pip", "--python", "/opt/venv/bin/python", "wheel", "--no-deps", "--no-build-isolation", \
     "--no-cache-dir", "--wheel-dir", "/wheel", "."]


# What runs needs no setuptools, nor the test suites of the numeric libraries, which nothing outside of them imports.
FROM dependencies AS environment
RUN python3 -m pip --python /opt/venv/bin/python uninstall --yes setuptools \
    && cd /opt/venv/lib/python3*/site-packages \
    && find numpy pandas pyarrow scipy sklearn statsmodels -type d -name tests -prune -exec rm -rf {} + \
    && /opt/venv/bin/python -W ignore -m compileall -q -j 0 --invalidation-mode unchecked-hash .


FROM python:3.13-slim

# tini is process 1: it passes SIGTERM on, and buries the orphans that a killed worker's group leaves behind.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log

# The history's default, data/history.db beside config.toml, leads into the volume; a history.url in config.toml wins.
RUN groupadd --gid 65532 monitor \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin monitor \
    && install --directory --owner 65532 --group 65532 --mode 0750 /data \
    && install --directory /etc/model-monitor \
    && ln --symbolic /data /etc/model-monitor/data

COPY --from=environment /opt/venv /opt/venv
# A layer of its own, so that a new version of the project is a download of one megabyte.
RUN --mount=type=bind,from=project,source=/wheel,target=/wheel \
    python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --no-index --root-user-action ignore \
    /wheel/*.whl

# HOME and everything temporary live on the tmpfs at /tmp. PYTHONSAFEPATH: a folder beside config.toml shadows no module.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    DO_NOT_TRACK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    MONITOR_WEB__HOST=0.0.0.0 \
    MONITOR_WEB__PORT=9464

WORKDIR /etc/model-monitor
VOLUME ["/data"]
EXPOSE 9464
USER 65532:65532
STOPSIGNAL SIGTERM

# Red within 30 s of a stale tick or of silence; a database or Slack that is away is no reason to restart the daemon,
# not even at its start, when it waits a minute for the database.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=2 CMD ["python", "-m", "monitor.web.probe"]

ENTRYPOINT ["tini", "--", "model-monitor"]
CMD ["run"]

ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="model-monitor" \
      org.opencontainers.image.description="Holds every deployed machine-learning model to the release contract it was shipped with." \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
