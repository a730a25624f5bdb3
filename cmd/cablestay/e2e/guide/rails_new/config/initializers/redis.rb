# frozen_string_literal: true

# The guide's channels use $redis and leave it to the reader to make it.
$redis = Redis.new(url: ENV.fetch("REDIS_URL"))
