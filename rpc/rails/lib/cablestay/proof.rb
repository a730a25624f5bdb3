# frozen_string_literal: true

require "digest"
require "jwt"
require "active_support/security_utils"

module Cablestay
  # The JWT that proves that a request is the bridge's, made for this event and this body.
  class Proof
    ISSUER = "cablestay"
    AUDIENCE = "cablestay-rails"
    LIFETIME = 60 # seconds
    LEEWAY = 30 # seconds, for unequal clocks

    # Raises Unproven unless the header holds a token that the shared secret signed and that is valid now.
    def initialize(authorization, secret: Secret.shared, now: Time.now.to_i)
      scheme, token = authorization.to_s.b.split(" ", 2)
      raise Unproven, "no bearer token" unless scheme&.casecmp?("bearer") && token

      @claims = signed_claims(token, secret)
      check_parties
      check_time(now)
    end

    def check_event(event)
      raise Unproven, "the claim event is another event's" unless same?("event", event)
    end

    def check_body(body)
      raise Unproven, "the claim digest is another body's" unless same?("digest", Digest::SHA256.hexdigest(body))
    end

    def check_id(id)
      raise Unproven, "the claim jti is another event's" unless same?("jti", id)
    end

    private
      # The library compares signatures in constant time. Its own checks of the claims differ between its
      # versions, so they are off and made here.
      def signed_claims(token, secret)
        claims, = JWT.decode(token, secret, true, algorithms: [ "HS256" ],
          verify_expiration: false, verify_not_before: false)
        claims.is_a?(Hash) ? claims : raise(Unproven, "the claims are not an object")
      rescue Unproven
        raise
      rescue StandardError # also what the library itself falls over, as a header that is no object
        raise Unproven, "not a token signed with HS256 and this app's secret"
      end

      def check_parties
        raise Unproven, "the claim iss is not #{ISSUER}" unless @claims["iss"] == ISSUER
        raise Unproven, "the claim aud is not #{AUDIENCE}" unless Array(@claims["aud"]) == [ AUDIENCE ]
      end

      def check_time(now)
        issued, expires = @claims.values_at("iat", "exp")
        raise Unproven, "the claim iat is not a time" unless issued.is_a?(Numeric)
        raise Unproven, "the claim exp is not a time" unless expires.is_a?(Numeric)
        raise Unproven, "issued in the future: are the clocks equal?" if issued > now + LEEWAY
        raise Unproven, "expired: are the clocks equal?" if expires <= now - LEEWAY
        raise Unproven, "the claim exp is too far away" if expires > now + LIFETIME + LEEWAY
      end

      def same?(claim, value)
        given = @claims[claim]
        given.is_a?(String) && ActiveSupport::SecurityUtils.secure_compare(given, value)
      end
  end
end
