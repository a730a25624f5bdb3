# frozen_string_literal: true

Rails.application.routes.draw do
  devise_for :users

  # The two ways in which apps with Devise mount Action Cable: behind the router's door, and with the door in connect.
  authenticate :user do
    mount ActionCable.server => "/members/cable"
  end
  mount ActionCable.server => "/cable"

  resource :version, only: :show
  root to: "versions#show"
end
