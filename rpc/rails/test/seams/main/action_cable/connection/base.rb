# frozen_string_literal: true

module ActionCable
  module Connection
    # Rails >= 7.1 has them.
    module CommandCallbacks
      extend ActiveSupport::Concern
      include ActiveSupport::Callbacks

      included { define_callbacks :command }

      class_methods do
        %i[ before after around ].each do |kind|
          define_method(:"#{kind}_command") { |*names, &block| set_callback(:command, kind, *names, &block) }
        end
      end
    end

    Seams::Main.forget(Base, "connection/base.rb")

    class Base
      include CommandCallbacks unless respond_to?(:before_command)

      attr_reader :subscriptions, :logger
      delegate :pubsub, :executor, :config, :broadcast, to: :server
      delegate :env, :request, :protocol, :perform_work, to: :socket, allow_nil: true

      def initialize(server, socket)
        @server, @socket, @logger = server, socket, socket.logger
        @subscriptions = Subscriptions.new(self)
        @_internal_subscriptions = nil
        @started_at = Time.now
      end

      def connect
      end

      def disconnect
      end

      def handle_open
        connect
        subscribe_to_internal_channel
        transmit({ type: "welcome" })
      rescue Authorization::UnauthorizedError
        close(reason: "unauthorized", reconnect: false)
      end

      def handle_close
        subscriptions.unsubscribe_from_all
        unsubscribe_from_internal_channel
        disconnect
      end

      # An error that the app handles is nobody else's.
      def handle_channel_command(command)
        run_callbacks(:command) { subscriptions.execute_command(command) }
      rescue Exception => error
        raise unless rescue_with_handler(error)
      end
      alias_method :handle_incoming, :handle_channel_command

      def transmit(message)
        socket.transmit(message)
      end

      # Whatever becomes of the frame.
      def close(reason: nil, reconnect: true)
        begin
          transmit({ type: "disconnect", reason: reason, reconnect: reconnect })
        rescue => error
          logger.error("Failed to transmit the disconnect message: #{error.class}(#{error.message})")
        end
        socket.close
      end

      def beat
        transmit({ type: "ping", message: Time.now.to_i })
      end

      def statistics
        { identifier: connection_identifier, started_at: @started_at, subscriptions: subscriptions.identifiers,
          request_id: env["action_dispatch.request_id"] }
      end

      def inspect
        "#<#{self.class.name}>"
      end

      private
        attr_reader :server, :socket

        def cookies
          request.cookie_jar
        end
    end
  end
end
