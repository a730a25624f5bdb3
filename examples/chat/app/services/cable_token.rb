# frozen_string_literal: true

# The JWT with which a client that has no cookie opens its cable: wss://…/cable?token=…
class CableToken
  ALGORITHM = "HS256"
  LIFETIME = 1.hour

  class << self
    def issue(user, expires_at: LIFETIME.from_now)
      JWT.encode({ user_id: user.id, exp: expires_at.to_i }, secret, ALGORITHM)
    end

    # The user, or nil for a token that is expired, forged or no token at all.
    def user_for(token)
      payload, = JWT.decode(token, secret, true, algorithm: ALGORITHM)
      User.find_by(id: payload["user_id"])
    rescue JWT::DecodeError
      nil
    end

    private
      def secret
        Rails.application.secret_key_base
      end
  end
end
