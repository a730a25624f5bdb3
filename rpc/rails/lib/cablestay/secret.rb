# frozen_string_literal: true

require "openssl"

module Cablestay
  # What the bridge and the app share. CABLESTAY_SECRET, else derived from the app's secret_key_base.
  module Secret
    VARIABLE = "CABLESTAY_SECRET"

    class << self
      # The bytes of this string are the key of the proof.
      def shared
        given = ENV[VARIABLE]
        return derived if given.nil?
        raise ConfigurationError, "#{VARIABLE} is blank: set it to the bridge's secret, or unset it" if given.strip.empty?

        given
      end

      # The key that seals state. Not made from CABLESTAY_SECRET where there is another way: whoever runs
      # the bridge knows that one, and must not be able to write a state that Ruby would load.
      def sealing_key
        @sealing_key ||= rails? ? derive("cablestay state") : keyed_by_variable
      end

      private
        def rails?
          defined?(Rails.application) && Rails.application
        end

        def derived
          raise ConfigurationError, "#{VARIABLE} is not set, and there is no Rails app to derive it from" unless rails?

          @derived ||= derive("cablestay rpc").unpack1("H*")
        end

        def derive(purpose)
          Rails.application.key_generator.generate_key(purpose, 32)
        end

        def keyed_by_variable
          OpenSSL::HMAC.digest("SHA256", shared, "cablestay state")
        end
    end
  end
end
