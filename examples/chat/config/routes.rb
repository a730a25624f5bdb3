# frozen_string_literal: true

Rails.application.routes.draw do
  root "rooms#index"

  get "login", to: "sessions#new"
  resource :session, only: [ :create, :destroy ]

  # What Devise would draw for its sessions.
  namespace :users do
    post "sign_in", to: "sessions#create"
    delete "sign_out", to: "sessions#destroy"
  end

  resources :rooms, only: [ :index, :show ]
  resources :notifications, only: [ :index, :create ]
  resources :announcements, only: :create
  resource :dashboard, only: :update

  namespace :api do
    resource :token, only: :create
    resources :chat_rooms, only: :show do
      resources :messages, only: [ :index, :create, :update, :destroy ]
    end
    resources :users, only: [] do
      resources :connections, only: :index
      resource :connections, only: :destroy
    end
  end

  namespace :health do
    resource :cable, only: :show, controller: "cable"
  end
end
