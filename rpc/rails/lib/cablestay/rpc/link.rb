# frozen_string_literal: true

module Cablestay
  module Rpc
    # Asks for a link. Where there is none, the answer becomes one: see Live::Links.
    class Link
      def initialize(request, env, _app)
        @bridge, @env = request.string("bridge"), env
      end

      def answer
        { contract: CONTRACT, worker: Live.worker, linked: Live::Links.offered?(@env) || !Live::Links.of(@bridge).nil? }
      end
    end
  end
end
