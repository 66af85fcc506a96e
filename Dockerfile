# One image for everything: `assay trading` is a service, `assay up` the whole platform, `assay verify FILE` a command.
FROM oven/bun:1.4.5-slim AS base
WORKDIR /app

# what is installed depends on these files alone
FROM base AS manifests
COPY package.json bun.lock bunfig.toml ./
COPY packages/core/package.json packages/core/
COPY services/package.json services/
COPY patches patches

FROM manifests AS production
RUN --mount=type=cache,target=/root/.bun/install/cache bun install --frozen-lockfile --production

# the client of the database, and an empty one that a first embedded start copies
FROM manifests AS generated
RUN --mount=type=cache,target=/root/.bun/install/cache bun install --frozen-lockfile
COPY prisma.config.ts tsconfig.json ./
COPY prisma prisma
COPY packages packages
COPY scripts scripts
RUN bun scripts/generate/prisma.ts && bun scripts/generate/database.ts

FROM base
ENV NODE_ENV=production ASSAY_HOST=0.0.0.0 ASSAY_HOME=/data
COPY --from=production /app ./
COPY --from=generated /app/node_modules/.cache node_modules/.cache
COPY package.json bun.lock bunfig.toml prisma.config.ts tsconfig.json ./
COPY packages packages
COPY services services
COPY scripts scripts
COPY presets presets
COPY openapi openapi
COPY prisma prisma
COPY --from=generated /app/prisma/generated prisma/generated
# a new volume takes over owner and mode of the folder it is mounted on
RUN install -d -o bun -g bun -m 700 /data /credentials /authority && chown -R bun:bun node_modules/.cache
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bun", "scripts/container/health.ts"]
ENTRYPOINT ["scripts/container/entry"]
CMD ["up"]
