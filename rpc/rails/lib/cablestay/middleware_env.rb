# frozen_string_literal: true

module Cablestay
  # The env of a handshake after it was opened. The raw one is at hand; what the app's middleware and routes
  # put into it (session, Warden, path parameters …) is had by sending the handshake down them again, and that
  # only if the app asks.
  class MiddlewareEnv
    PATIENCE = 10 # seconds

    # For the object that holds env and request: the connection, or its socket.
    module Lazy
      def env
        @cablestay_env.full
      end

      def statistics
        @env = env
        super
      end
    end

    attr_reader :raw

    def initialize(raw, app)
      @raw, @app = raw, app
    end

    def full
      @full ||= through_middleware
    end

    private
      # On a thread of its own: the middleware opens and ends an execution, and this thread is in one.
      def through_middleware
        reached = nil
        env = @raw.merge(Endpoint::TAKEOVER => lambda do |_server, at_cable|
          reached = at_cable
          [ -1, {}, [] ]
        end)
        thread = Thread.new { HttpAnswer.new(@app.call(env), env).discard }
        thread.report_on_exception = false
        wait(thread) || raise(Error, "the app's middleware did not answer the handshake within #{PATIENCE} s")
        (reached || env).tap { |full| full.delete(Endpoint::TAKEOVER) }
      end

      # The app's code may have to be loaded meanwhile, which waits for threads that run it.
      def wait(thread)
        interlock = ActiveSupport::Dependencies.interlock if ActiveSupport::Dependencies.respond_to?(:interlock)
        return thread.join(PATIENCE) unless interlock.respond_to?(:permit_concurrent_loads)

        interlock.permit_concurrent_loads { thread.join(PATIENCE) }
      end
  end
end
