# The packages, with the hashes of requirements.lock, in an environment that is moved as a whole.
FROM python:3.13-slim AS packages
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.lock .
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY app.py ./
COPY balance balance
COPY callbacks callbacks
COPY layouts layouts
# Nothing is written to the program at run time, so it is compiled here. A new volume takes its
# owner from the folder that it is mounted on.
RUN python -m compileall -q app.py balance callbacks layouts \
    && install --directory --owner=10001 --group=10001 data
USER 10001:10001
VOLUME /app/data
EXPOSE 8050 8051
# The address must be open inside the container, so the server insists on VIRTUAL_BALANCE_TOKEN.
ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0"]
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as web; \
web.build_opener(web.ProxyHandler({})).open('http://127.0.0.1:8050/health')"]
