# app/channels/concerns/rate_limitable.rb

module RateLimitable
  extend ActiveSupport::Concern

  class_methods do
    def rate_limit(action, limit:, period:)
      @rate_limits ||= {}
      @rate_limits[action] = { limit: limit, period: period }
    end

    def rate_limits
      @rate_limits || {}
    end
  end

  private

  def rate_limited?(action)
    config = self.class.rate_limits[action]
    return false unless config

    key = "rate_limit:#{channel_name}:#{action}:#{current_user.id}"
    count = $redis.incr(key)
    $redis.expire(key, config[:period]) if count == 1

    count > config[:limit]
  end

  def with_rate_limit(action)
    if rate_limited?(action)
      transmit(error: 'Rate limit exceeded', action: action)
      return
    end
    
    yield
  end
end
