# frozen_string_literal: true

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :current_user, :current_account, :connection_id

    def connect
      self.current_user = find_verified_user
      self.current_account = current_user.account
      self.connection_id = SecureRandom.uuid

      logger.add_tags "ActionCable", "User:#{current_user.id}", "Account:#{current_account.id}"
      ConnectionTracker.add(user: current_user, connection_id: connection_id)
      logger.info "#{current_user.name} connected"
    end

    # Also runs after a refusal: then there is nobody to forget.
    def disconnect
      return unless connection_id

      ConnectionTracker.remove(user: current_user, connection_id: connection_id)
      logger.info "#{current_user.name} disconnected"
    end

    private
      def find_verified_user
        user = find_user_from_cookie || find_user_from_warden || find_user_from_token
        return user if user&.active? && !BlockedIp.exists?(ip_address: request.ip)

        reject_unauthorized_connection
      end

      def find_user_from_cookie
        user_id = cookies.encrypted[:user_id]
        User.find_by(id: user_id) if user_id
      end

      # The standalone cable (cable/config.ru) has no middleware, so there may be no Warden.
      def find_user_from_warden
        env["warden"]&.user(:user)
      end

      def find_user_from_token
        token = request.params[:token]
        CableToken.user_for(token) if token.is_a?(String)
      end
  end
end
