# The serving image: the API and the graph writer, without torch. Models are trained elsewhere and mounted under /data.
FROM python:3.12-slim AS build
WORKDIR /build
RUN pip install --no-cache-dir uv
COPY requirements-serve.lock ./
RUN uv venv /opt/clew && VIRTUAL_ENV=/opt/clew uv pip install --no-cache --require-hashes -r requirements-serve.lock
COPY . .
RUN VIRTUAL_ENV=/opt/clew uv pip install --no-cache --no-deps .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 clew && mkdir /data && chown clew /data
COPY --from=build /opt/clew /opt/clew
ENV PATH=/opt/clew/bin:$PATH CLEW_HOME=/data CLEW_HOST=0.0.0.0 CLEW_PORT=8080
USER clew
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
CMD ["clew", "serve"]
