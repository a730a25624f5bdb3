# frozen_string_literal: true

threads_count = ENV.fetch("RAILS_MAX_THREADS", 5)
threads threads_count, threads_count

port ENV.fetch("PORT", 3000), ENV.fetch("BIND", "127.0.0.1")
environment ENV.fetch("RAILS_ENV", "development")
