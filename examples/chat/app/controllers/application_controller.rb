# frozen_string_literal: true

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception

  before_action :authenticate_user!

  helper_method :current_user

  rescue_from ActiveRecord::RecordNotFound, with: :not_found

  private
    # The same two ways in as the cable's connection has for browsers.
    def current_user
      @current_user ||= user_from_cookie || request.env["warden"].user(:user)
    end

    def user_from_cookie
      user_id = cookies.encrypted[:user_id]
      User.find_by(id: user_id, active: true) if user_id
    end

    def authenticate_user!
      return if current_user

      respond_to do |format|
        format.html { redirect_to login_path }
        format.any { head :unauthorized }
      end
    end

    def not_found
      respond_to do |format|
        format.html { render file: Rails.public_path.join("404.html"), status: :not_found, layout: false }
        format.any { head :not_found }
      end
    end
end
