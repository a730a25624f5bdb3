# app/channels/application_cable/connection.rb

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :current_user

    def connect
      self.current_user = find_verified_user
    end

    private

    def find_verified_user
      user = authenticate_user
      
      # Verify user is active
      unless user&.active?
        reject_unauthorized_connection
      end
      
      # Verify user IP is not blocked
      if blocked_ip?(request.ip)
        reject_unauthorized_connection
      end
      
      user
    end

    def authenticate_user
      # Try multiple authentication methods
      find_user_from_session ||
        find_user_from_token ||
        reject_unauthorized_connection
    end

    def blocked_ip?(ip)
      BlockedIp.exists?(ip_address: ip)
    end
  end
end
