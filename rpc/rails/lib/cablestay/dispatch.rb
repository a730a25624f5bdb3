# frozen_string_literal: true

module Cablestay
  # Runs an event, whichever way it came, and says what to answer.
  module Dispatch
    class << self
      # A status of the contract, and the answer's body.
      def run(event, request, env, app)
        rpc = Endpoint::EVENTS[event] or return [ 404, failure("no event #{event.inspect}") ]
        [ 200, Cablestay.instrument(event, request.id) { rpc.new(request, env, app).answer } ]
      rescue BadRequest => error
        Cablestay.logger.error("can't read #{event}: #{error.message}")
        [ 400, failure(error.message) ]
      rescue StandardError, ScriptError => error
        Cablestay.log_exception("#{event} failed", error)
        [ 500, failure("#{error.class}: see the app's log") ]
      end

      def failure(message)
        { contract: CONTRACT, error: message }
      end
    end
  end
end
