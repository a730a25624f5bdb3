# frozen_string_literal: true

class ApplicationController < ActionController::Base
  skip_forgery_protection
  before_action :authenticate_user!

  private
    def current_user
      @current_user ||= User.find_by(id: cookies.encrypted[:user_id])
    end

    def authenticate_user!
      head :unauthorized unless current_user
    end
end
