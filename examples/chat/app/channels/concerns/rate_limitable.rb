# frozen_string_literal: true

# Limits how often a user may perform an action, counted in Redis over all of the user's connections:
#
#   rate_limit :send_message, limit: 30, period: 60
#
#   def send_message(data)
#     with_rate_limit(:send_message) { … }
#   end
module RateLimitable
  extend ActiveSupport::Concern

  included do
    class_attribute :rate_limits, instance_accessor: false, default: {}
  end

  class_methods do
    def rate_limit(action, limit:, period:)
      self.rate_limits = rate_limits.merge(action => { limit: limit, period: period })
    end
  end

  private
    def with_rate_limit(action)
      if rate_limited?(action)
        transmit_error "Rate limit exceeded", action: action
      else
        yield
      end
    end

    def rate_limited?(action)
      rule = self.class.rate_limits.fetch(action)
      key = "rate_limit:#{self.class.channel_name}:#{action}:#{current_user.id}"

      count = $redis.incr(key)
      $redis.expire(key, rule[:period]) if count == 1
      count > rule[:limit]
    end
end
