# The server, and nothing else: docker build -t callslip .
FROM rust:1.95-bookworm AS build
WORKDIR /callslip
COPY . .
RUN apt-get update && apt-get install --yes --no-install-recommends cmake clang \
    && cargo build --profile dist --locked -p callslip --bin callslip

FROM debian:bookworm-slim
# The certificates by which PostgreSQL's is verified, where nothing else is said.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home callslip
COPY --from=build /callslip/target/dist/callslip /usr/local/bin/callslip
USER callslip
WORKDIR /etc/callslip
EXPOSE 7070
# DATABASE_URL says which database; the configuration and the plugins are mounted at /etc/callslip.
ENTRYPOINT ["callslip"]
CMD ["serve", "--listen", "0.0.0.0:7070"]
