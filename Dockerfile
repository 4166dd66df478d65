# One image for every process; which one runs is the command's choice (docker-compose.yml).

FROM node:24-bookworm-slim AS deps
WORKDIR /app
COPY package.json package-lock.json ./
# The image brings Node 24 itself: the copy among the npm packages is for machines with an older one.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/node node_modules/.bin/node

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY apps apps
COPY libs libs
COPY migrations migrations
RUN npm run build

FROM node:24-bookworm-slim AS runtime
# openssl: the simulator makes its certificate with it. tini: reaps children and passes signals on. The client's programs are
# `backup`'s and `restore`'s, of the version of docker-compose.yml's server.
RUN apt-get update \
  && apt-get install -y --no-install-recommends openssl postgresql-client-15 tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /simulator
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=deps /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 3000 3001 3002
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT ?? 3000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "dist/apps/api/src/main.js"]
