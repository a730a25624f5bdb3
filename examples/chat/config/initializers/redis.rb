# frozen_string_literal: true

# The app's own Redis data: presence, rate limits, who is connected. Broadcasts have connections of their own.
$redis = Redis.new(url: ENV.fetch("REDIS_URL", "redis://localhost:6379/1"))
