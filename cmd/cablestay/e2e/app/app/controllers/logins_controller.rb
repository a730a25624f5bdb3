# frozen_string_literal: true

class LoginsController < ApplicationController
  def create
    if params[:into] == "everything"
      cookies[:plain] = "plain #{params[:user]}"
      cookies.signed[:signed] = "signed #{params[:user]}"
      cookies.encrypted[:user] = params.require(:user)
      session[:user] = "session of #{params[:user]}"
    elsif params[:into] == "session"
      session[:user] = params.require(:user)
    else
      cookies.encrypted[:user] = params.require(:user)
    end
    head :no_content
  end
end
