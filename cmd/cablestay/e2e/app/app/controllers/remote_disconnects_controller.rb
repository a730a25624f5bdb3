# frozen_string_literal: true

class RemoteDisconnectsController < ApplicationController
  def create
    options = params[:reconnect] ? { reconnect: params[:reconnect] == "true" } : {}
    user = params[:member] ? Member.find(params[:member]) : params[:user]
    if params[:by] == "server"
      ActionCable.server.disconnect(user: user, device: params[:device])
    else
      ActionCable.server.remote_connections.where(user: user, device: params[:device]).disconnect(**options)
    end
    head :no_content
  end
end
