# The production image: the server, or by another command a worker or any other part of Lineshaft.
#
# Any image with Python 3.11 or newer serves as BASE; git and ssh are added by apt where they are missing. Nothing here
# needs BuildKit, so that every Docker engine can build it.
ARG BASE=python:3.13-slim
# Where a build has no package index, an image that has in /build/tools and /opt/lineshaft what this stage would put there.
ARG NEEDED=needed

FROM ${BASE} AS needed
ENV UV_SYSTEM_CERTS=true
WORKDIR /build
COPY requirements/build.txt requirements/run.txt requirements/
RUN python3 -m venv tools \
 && tools/bin/pip install --quiet --no-cache-dir --require-hashes -r requirements/build.txt \
 && tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/lineshaft \
 && tools/bin/uv pip install --quiet --no-cache --compile-bytecode --python /opt/lineshaft/bin/python \
      --require-hashes -r requirements/run.txt

FROM ${NEEDED} AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN tools/bin/python -m hatchling build --target wheel --directory dist \
 && tools/bin/uv pip install --quiet --no-cache --python /opt/lineshaft/bin/python --no-deps dist/*.whl \
 && /opt/lineshaft/bin/python -m compileall -q /opt/lineshaft/lib/python*/site-packages/lineshaft

FROM ${BASE}
LABEL org.opencontainers.image.title="Lineshaft" org.opencontainers.image.licenses="Apache-2.0"
# A worker checks sources out with these two.
RUN { command -v git && command -v ssh; } >/dev/null \
 || { apt-get -qq update \
   && apt-get -qq install --yes --no-install-recommends ca-certificates git openssh-client >/dev/null \
   && rm -rf /var/lib/apt/lists/*; }
# By hand, since not every base has useradd; git and ssh refuse a user who has no line here.
RUN echo "lineshaft:x:10001:10001:Lineshaft:/var/lib/lineshaft:/bin/false" >> /etc/passwd \
 && echo "lineshaft:x:10001:" >> /etc/group \
 && mkdir -p /var/lib/lineshaft \
 && chown 10001:10001 /var/lib/lineshaft
COPY --from=build /opt/lineshaft /opt/lineshaft

ENV PATH=/opt/lineshaft/bin:$PATH \
    LINESHAFT_HOST=0.0.0.0 \
    LINESHAFT_PORT=5001 \
    LINESHAFT_DATA=/var/lib/lineshaft
USER 10001:10001
WORKDIR /var/lib/lineshaft
VOLUME /var/lib/lineshaft
EXPOSE 5001
ENTRYPOINT ["lineshaft"]
CMD ["server"]
