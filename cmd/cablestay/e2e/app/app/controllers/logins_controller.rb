# frozen_string_literal: true

class LoginsController < ApplicationController
  def create
    if params[:into] == "session"
      session[:user] = params.require(:user)
    else
      cookies.encrypted[:user] = params.require(:user)
    end
    head :no_content
  end
end
