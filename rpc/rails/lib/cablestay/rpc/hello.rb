# frozen_string_literal: true

module Cablestay
  module Rpc
    # What the bridge asks at its start.
    class Hello
      def initialize(_request, env, app)
        @env, @app = env, app
      end

      def answer
        { contract: CONTRACT, gem: VERSION, rails: rails_version, ruby: RUBY_VERSION, environment: environment,
          adapter: cable.fetch("adapter", cable.empty? ? "" : "redis").to_s, redis: redis,
          channel_prefix: cable["channel_prefix"]&.to_s, mounts: mounts,
          concurrency: Concurrency.of(@env), workers: Concurrency.workers(@env), remote_disconnect: RailsVersions.remote_disconnect }
      end

      private
        def rails_version
          ActionCable.version.to_s
        end

        def environment
          defined?(Rails.env) ? Rails.env.to_s : ENV["RAILS_ENV"] || ENV["RACK_ENV"] || "development"
        end

        def cable
          (ActionCable.server.config.cable || {}).to_h.stringify_keys
        end

        # Rails writes the name of its own Redis connections into the options: no setting of the app's.
        def redis
          plain(cable.except("adapter", "channel_prefix")).reject do |key, value|
            key == "id" && value.to_s.start_with?("ActionCable-PID-")
          end
        end

        # What JSON can't say (a proc, an object that only Ruby has) is left out.
        def plain(value)
          case value
          when Hash then value.to_h { |key, inner| [ key.to_s, plain(inner) ] }.compact
          when Array then value.map { |inner| plain(inner) }
          when String, Numeric, true, false then value
          when Symbol then value.to_s
          end
        end

        def mounts
          return [ { path: "#{@env["SCRIPT_NAME"]}/", anchored: false } ] if @app.is_a?(ActionCable::Server::Base)

          Mounts.of(Rails.application, @env["SCRIPT_NAME"].to_s)
        end
    end
  end
end
