# The dashboard as a server. docs/deploy.md says where it runs and what keeps strangers out.
#
#     docker build --tag chimera-nb .
#
# What is copied is all that is needed: tests/unit/test_deploy.py builds the packages from just these files.

FROM python:3.11-slim-bookworm

# A number, so that a platform which forbids root can see that it is not root.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin chimera
ENV VIRTUAL_ENV=/opt/chimera \
    PATH=/opt/chimera/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1

# In the layout of a checkout, owned by root: a visitor's kernel can change nothing of it.
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pipeline ./pipeline
COPY chimera_nb ./chimera_nb
COPY dashboards ./dashboards
# Compiled, as pip does with the rest: who runs it cannot write here, and would compile at every start.
RUN python -m venv "$VIRTUAL_ENV" \
    && pip install --no-cache-dir --constraint constraints.txt --editable '.[notebook]' \
    && python -m compileall -q pipeline chimera_nb

USER 10001
WORKDIR /home/chimera
# The job log is Firestore's, so nothing here has to outlive the container. Which project, region and temp_location,
# and which buckets may be read and written, is said where it is deployed; no key belongs in an image.
ENV CHIMERA_PLACE=cloud \
    CHIMERA_DATA_DIR=/home/chimera/data

EXPOSE 8080
CMD ["chimera", "dash", "--host", "0.0.0.0", "--port", "8080", "--user-header", "X-Goog-Authenticated-User-Email", "--no-browser"]
