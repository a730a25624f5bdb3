# app/channels/application_cable/connection.rb

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    # Identified by helps Action Cable track which user is connected
    identified_by :current_user

    def connect
      # Authenticate the connection
      self.current_user = find_verified_user
      
      # Log successful connection
      logger.add_tags 'ActionCable', "User:#{current_user.id}"
    end

    def disconnect
      # Clean up when user disconnects
      logger.info "User #{current_user&.id} disconnected"
    end

    private

    # Find and verify the current user from the connection
    def find_verified_user
      # Option 1: Session-based authentication (most common)
      if (user = find_user_from_session)
        user
      # Option 2: Token-based authentication (for APIs)
      elsif (user = find_user_from_token)
        user
      else
        # Reject unauthorized connections
        reject_unauthorized_connection
      end
    end

    # Extract user from Rails session cookie
    def find_user_from_session
      # Access encrypted cookies
      if (user_id = cookies.encrypted[:user_id])
        User.find_by(id: user_id)
      elsif (session_data = request.session)
        # Devise stores user_id in session
        User.find_by(id: session_data['warden.user.user.key']&.first&.first)
      end
    end

    # Extract user from JWT token (for API/mobile clients)
    def find_user_from_token
      token = request.params[:token]
      return nil unless token.present?

      # Decode and verify JWT
      decoded = JWT.decode(
        token,
        Rails.application.credentials.secret_key_base,
        true,
        { algorithm: 'HS256' }
      )
      
      payload = decoded.first
      User.find_by(id: payload['user_id'])
    rescue JWT::DecodeError, JWT::ExpiredSignature
      nil
    end
  end
end
