# One image for all of it: `jimm serve`, the schema step, the simulated controllers, jimmctl.
# tests/system/test_image.py carries out the RUN steps of the first stage in a folder of its own.

FROM python:3.11-slim AS build
ENV PREFIX=/opt/jimm STATE=/state
WORKDIR /source
COPY requirements requirements
RUN python -m venv "$PREFIX"
RUN "$PREFIX/bin/python" -m pip install --disable-pip-version-check --require-hashes --no-deps --requirement requirements/runtime.txt --requirement requirements/build.txt
COPY . .
RUN "$PREFIX/bin/python" -m pip install --disable-pip-version-check --no-deps --no-build-isolation .
RUN "$PREFIX/bin/python" -m pip uninstall --yes --requirement requirements/build.txt
# Volumes take their owner and mode from these when Docker first makes them.
RUN mkdir -p -m 0700 "$STATE/keys" "$STATE/shared" "$STATE/controller"

FROM python:3.11-slim
COPY --from=build /opt/jimm /opt/jimm
COPY --from=build --chown=10001:10001 /state /var/lib/jimm
COPY containers/keys.py containers/tour.py /opt/jimm/share/
ENV PATH=/opt/jimm/bin:$PATH HOME=/var/lib/jimm PYTHONUNBUFFERED=1 JIMM_LISTEN=0.0.0.0:17070
USER 10001:10001
WORKDIR /var/lib/jimm
EXPOSE 17070
# The certificate is not looked at: it is this container that asks itself whether it answers.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import ssl, urllib.request as r; r.urlopen('https://127.0.0.1:17070/healthz', timeout=3, context=ssl._create_unverified_context())"]
ENTRYPOINT ["jimm"]
CMD ["serve"]
