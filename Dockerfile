# One image for all services; the command selects one: `serve membership`.
FROM python:3.13-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# One environment for running, another for building; in both, every download is verified by its hash.
RUN python -m venv --without-pip /opt/asskomm && python -m venv /opt/build
COPY deploy/build.lock deploy/requirements.lock deploy/
RUN /opt/build/bin/pip install --require-hashes --only-binary :all: -r deploy/build.lock \
 && /opt/build/bin/pip --python /opt/asskomm/bin/python install --no-compile \
      --require-hashes --only-binary :all: -r deploy/requirements.lock
# Our code comes last, so that changing it downloads nothing again.
COPY . .
RUN /opt/build/bin/pip --python /opt/asskomm/bin/python check \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /tmp/wheel . \
 && /opt/build/bin/pip --python /opt/asskomm/bin/python install --no-compile --no-deps --no-index /tmp/wheel/*.whl \
 # The container cannot write bytecode, so it is compiled here; the sources never change, so it is never revalidated.
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/asskomm/lib

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin asskomm
COPY --from=build /opt/asskomm /opt/asskomm
ENV PATH=/opt/asskomm/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /tmp
# Numeric, so that Kubernetes and others can verify that it is not root.
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["asskomm"]
