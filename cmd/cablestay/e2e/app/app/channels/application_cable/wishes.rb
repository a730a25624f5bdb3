# frozen_string_literal: true

module ApplicationCable
  # What connect does beside its work, where the handshake's query asks for it.
  module Wishes
    private
      def fulfil(wish)
        case wish
        when "look" then look_around
        when "write cookies" then write_cookies
        when "wait" then Gate.pass(request.params[:gate])
        when "wait and reject"
          Gate.pass(request.params[:gate])
          reject_unauthorized_connection
        when "raise" then raise "this connection always fails"
        when "tag" then logger.add_tags "tagged by connect"
        end
      end

      # All that a connection can see of its handshake, and what it must not see.
      def look_around
        journal "looked", seen: {
          protocol: protocol, offered: env["HTTP_SEC_WEBSOCKET_PROTOCOL"], agent: request.headers["User-Agent"], odd: env["HTTP_X_ODD"],
          query: env["QUERY_STRING"], parameters: request.params.except(:device, :connect), path_parameters: request.path_parameters,
          plain: cookies[:plain], signed: cookies.signed[:signed], encrypted: cookies.encrypted[:user], session: request.session[:user],
          address: request.remote_ip, uuid: request.uuid, host: request.host, secure: request.ssl?, method: request.request_method,
          left_in_env: env["endtoend.tenant"], left_in_thread: Thread.current[:endtoend_tenant], left_in_current: Current.text,
          executor: Rails.application.executor.active?
        }
      end

      def write_cookies
        cookies[:written] = "in connect"
        cookies.encrypted[:sealed] = "in connect"
        request.session[:written] = "in connect"
      end
  end
end
