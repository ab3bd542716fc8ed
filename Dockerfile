FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements/demo.lock requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/demo.lock
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip install --no-cache-dir --no-deps dist/*.whl

# An example to serve where no registry is named: trained, tested and promoted here, never later.
COPY examples/diabetes example
WORKDIR /build/example
ENV GREENROOM_AUTHOR="docker build" GREENROOM_REGISTRY=/registry
RUN python train.py && greenroom test && greenroom promote --to production


FROM python:3.12-slim
COPY requirements/serve.lock /tmp/
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/serve.lock
COPY --from=build /build/dist /tmp/dist
RUN pip install --no-cache-dir --no-deps /tmp/dist/*.whl
COPY --from=build /registry /registry

ENV GREENROOM_REGISTRY=/registry GREENROOM_MODEL=diabetes@production
# Numbers, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:5000/health')"]
ENTRYPOINT ["greenroom"]
CMD ["serve", "--host", "0.0.0.0"]
